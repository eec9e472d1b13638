"""Images of the dataset on the page: contact sheets, copies, and the model's mistakes."""
