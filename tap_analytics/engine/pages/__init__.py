"""Lists as pages: how they are asked for, read ahead, and proven complete."""
