"""The Guide in a real JupyterLab, Notebook and Voilà, in a real browser."""
