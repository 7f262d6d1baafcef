"""Pictures people upload, drawn anew: what comes out holds pixels and nothing else.

asking.py     avatar_of(upload): has it done, and says what was wrong
drawing.py    decodes and encodes, in a process of its own that imports nothing of ours
"""
