"""What both services share: tokens, refusals, time-outs, settings, logs and health."""
