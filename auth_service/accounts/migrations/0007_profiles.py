from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_mail'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='bio',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
        migrations.AddField(
            model_name='user',
            name='avatar',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='user',
            name='time_zone',
            field=models.CharField(db_default='UTC', default='UTC', max_length=64),
        ),
        migrations.AddField(
            model_name='user',
            name='locale',
            field=models.CharField(db_default='en', default='en', max_length=35),
        ),
        migrations.AddField(
            model_name='user',
            name='find_me',
            field=models.CharField(
                choices=[('everyone', 'Everyone'), ('nobody', 'Nobody')],
                db_default='everyone',
                default='everyone',
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name='user',
            name='last_seen',
            field=models.CharField(
                choices=[
                    ('everyone', 'Everyone'),
                    ('contacts', 'Contacts'),
                    ('nobody', 'Nobody'),
                ],
                db_default='everyone',
                default='everyone',
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name='user',
            name='read_receipts',
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
