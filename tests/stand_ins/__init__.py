"""Programs that behave as those of others do, where the others cannot be had."""
