package outbox

import (
	"crypto/tls"
	"net/http"
)

// NewTLSSink makes a sink for a manager at https://..., which it reaches by a
// configuration that shows this host's certificate. See NewHTTPSink.
func NewTLSSink(base, agentURL string, secure *tls.Config) *HTTPSink {
	s := NewHTTPSink(base, agentURL)
	s.client.Transport = &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure}
	// A manager does not move; what is sent is for it alone.
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}
