"""Who is there: leases of connections, what is told of them, and what people say themselves.

leases.py     connections held in Redis; they run out by themselves
scripts.py    how Redis does that
told.py       settle(people): tell who came and who went; forgotten(): whom to settle again
chosen.py     set_presence(…): what somebody says of himself
"""
