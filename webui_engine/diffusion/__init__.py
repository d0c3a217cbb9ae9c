"""Making pictures with diffusers' networks in A1111's terms."""
