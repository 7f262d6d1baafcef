"""docker-compose.yaml without Docker: its images as folders, its containers as namespaces.

What stands in for an engine: a read-only tree under chroot, with the declared volumes alone
writable; the declared user and rights; a network of its own with one address for each container and
names as Docker's DNS gives them; and `depends_on` and health checks as they are written. Images of
others are stood in for by the programs of our wheels. It takes root.
"""
