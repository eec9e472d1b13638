"""Cards: what a model or a dataset is, in the form that Hugging Face reads."""
