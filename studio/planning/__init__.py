"""From what was ordered to what will be asked of a server: the same order on the same server gives the same plan."""
