"""What is asked of the model beside its metrics: whether it knows the class by something else."""
