"""Teaching an identity: one Trainer port, several forms behind it."""
