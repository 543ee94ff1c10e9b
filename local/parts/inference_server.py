"""Runs Azure ML's inference server (`azmlinfsrv`, same arguments) on the loopback address; the server itself knows 0.0.0.0 alone."""

from azureml_inference_server_http import amlserver

if __name__ == "__main__":
    amlserver.DEFAULT_HOST = "127.0.0.1"
    amlserver.run()
