"""What the tests of every service need.

tokens.py      token_for(user): real ones, signed with a key of this process
http.py        JsonClient: asks as a person would; read_refusal(answer)
documented.py  OpenApi: what an operation is said to answer
threads.py     at_once(number, act): many threads, started at one moment
"""

from service_kit.testing.tokens import KID, install_test_keys, public_key_pem, sign, token_for

__all__ = ["KID", "install_test_keys", "public_key_pem", "sign", "token_for"]
