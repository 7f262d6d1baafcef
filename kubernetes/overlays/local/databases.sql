-- As in docker-compose.yaml.
\set auth_password `cat /run/secrets/auth`
CREATE ROLE auth LOGIN NOSUPERUSER NOCREATEDB PASSWORD :'auth_password';
CREATE DATABASE auth OWNER auth;
REVOKE ALL ON DATABASE auth FROM PUBLIC;
\set messaging_password `cat /run/secrets/messaging`
CREATE ROLE messaging LOGIN NOSUPERUSER NOCREATEDB PASSWORD :'messaging_password';
CREATE DATABASE messaging OWNER messaging;
REVOKE ALL ON DATABASE messaging FROM PUBLIC;
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
