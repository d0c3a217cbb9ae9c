"""Face to animal: what stands out in a face, the animals it resembles, and how far a finished picture keeps it.

Nothing here needs a WebUI or a diffusion model. What is seen in a photo comes from :mod:`studio.faces`; which animal
has which features is data, read by :mod:`studio.library.animals`.
"""
