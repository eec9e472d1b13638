"""What a model has to beat: answers without a look, and simple models of simple features."""
