"""The pages people see: Gradio, Korean and English. They speak HTTP to the API and nothing else."""
