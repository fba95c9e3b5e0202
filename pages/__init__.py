"""Streamlit pieces that the pages share; nothing outside this folder imports Streamlit."""
