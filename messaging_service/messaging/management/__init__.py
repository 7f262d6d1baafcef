"""The door of whoever runs the service: commands of manage.py."""
