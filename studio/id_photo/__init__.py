"""ID photos: documents as data, a photo brought to a document's rule, the check against it, and sheets to print.

Nothing here needs a WebUI or a diffusion model. What is seen in a photo comes from :mod:`studio.faces`; everything
here is arithmetic on it.
"""
