"""From a txt2img or img2img request to pictures: resolve names, make, repair faces, describe, answer."""
