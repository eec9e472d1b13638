"""Finding what to put into params.yaml before a training."""
