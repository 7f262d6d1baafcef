// Swagger UI over the OpenAPI documents of both services; calls go to where the page came from.

// A page's session is a cookie, and what changes something must show that a page of ours asks.
function showCsrfToken(request) {
  const found = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie);
  if (found) request.headers["X-CSRFToken"] = found[1];
  return request;
}

window.ui = SwaggerUIBundle({
  dom_id: "#ui",
  urls: [
    { name: "auth_service", url: "/api/auth/schema/" },
    { name: "messaging_service", url: "/api/chat/schema/" },
  ],
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  // Swagger's logo brings an inline style, which the page does not allow.
  plugins: [() => ({ components: { Logo: () => null } })],
  layout: "StandaloneLayout",
  deepLinking: true,
  docExpansion: "list",
  requestInterceptor: showCsrfToken,
  // It would send the document to another host.
  validatorUrl: null,
});
