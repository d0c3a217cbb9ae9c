"""The only way to a WebUI server: client, typed units, capability probe, pool and the infotext format.

Nothing is imported here, so that ``webui_client.infotext`` stays cheap for those who need only the text
format.
"""
