#!/usr/bin/env bash
# Signs in to Azure anew every 25 minutes, for as long as it runs. A sign-in by a job's OIDC token ends after about an hour and cannot be
# renewed, and the CLI's is what Pulumi writes its state with: an up that builds images takes longer, and would lose what it did last.
set -euo pipefail

audience="api%3A%2F%2FAzureADTokenExchange"
while sleep 1500; do
    token="$(curl --silent --show-error --fail --retry 3 --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
        "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$audience" | jq --raw-output .value)"
    az login --service-principal --username "$ARM_CLIENT_ID" --tenant "$ARM_TENANT_ID" --federated-token "$token" --output none
done
