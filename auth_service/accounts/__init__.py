"""Who a person is, and the sessions and tokens that prove it."""
