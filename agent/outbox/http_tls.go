package outbox

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

// NewTLSSink makes a sink for a manager at https://..., which it reaches by a
// configuration that shows this host's certificate. See NewHTTPSink.
func NewTLSSink(base, agentURL string, secure *tls.Config) *HTTPSink {
	return newSink(base, agentURL, &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure})
}

// NewDialSink makes a sink for a manager that dial connects to, TLS and all; base stands
// for it in requests. See NewHTTPSink.
func NewDialSink(base, agentURL string, dial func(context.Context) (net.Conn, error)) *HTTPSink {
	return newSink(base, agentURL, &http.Transport{DisableKeepAlives: true, DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dial(ctx)
	}})
}

func newSink(base, agentURL string, t *http.Transport) *HTTPSink {
	s := NewHTTPSink(base, agentURL)
	s.client.Transport = t
	// A manager does not move; what is sent is for it alone.
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}
