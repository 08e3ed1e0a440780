"""What a trigger rule means, proven: a slow and plain reading of it, and the product held against that."""
