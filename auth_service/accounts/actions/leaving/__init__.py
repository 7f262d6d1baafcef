"""Taking everything along, and leaving nothing behind.

personal.py     what is kept of a person, table by table
exporting.py    all of it in one file, with what messaging_service keeps
messaging.py    what messaging_service keeps, page by page
erasing.py      an account is gone, and the other service hears of it
"""
