import type { HttpHandler } from "@azure/functions";
import { readFile } from "node:fs/promises";
import path from "node:path";

/** What the page is made of: Swagger UI's own files, which lie beside the bundle in the package (`infra/handlers/package.ts`). */
const types = { "swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "page.js": "text/javascript" } as const;
const folder = path.join(__dirname, "docs");

/** Relative addresses: the page works under whatever prefix and host the app has. */
const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Player predictions</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/page.js"></script>
</body>
</html>
`;

const script = `SwaggerUIBundle({ url: "openapi.json", dom_id: "#page", validatorUrl: null, tryItOutEnabled: true });\n`;

/** The page loads nothing from and tells nothing to another host. Swagger UI sets styles of its own on elements. */
const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
].join("; ");

/** `GET /api/docs`: the OpenAPI document for people, who may call the endpoint from it with their function key. */
export const getDocs: HttpHandler = () => ({
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
    body: html,
});

/** `GET /api/docs/{file}` */
export const getDocsFile: HttpHandler = async (request) => {
    const name = request.params["file"] ?? "";
    if (!Object.hasOwn(types, name)) {
        return { status: 404 };
    }
    const type = types[name as keyof typeof types];
    const headers = { "content-type": `${type}; charset=utf-8`, "cache-control": "public, max-age=3600" };
    return { headers, body: name === "page.js" ? script : await readFile(path.join(folder, name)) };
};
