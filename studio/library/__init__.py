"""The studio's products and prompts: YAML and text files, read strictly, frozen."""
