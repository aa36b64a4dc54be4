package outbox

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// lingering is how long a connection is kept for what may come next, and longest how long it
// is used at most. An agent has something to say in bursts; in between nothing is held open.
const (
	lingering = 5 * time.Second
	longest   = 10 * time.Second
)

// NewTLSSink makes a sink for a manager at https://..., which it reaches by a
// configuration that shows this host's certificate, over HTTP/2 where the manager has it.
// See NewHTTPSink.
func NewTLSSink(base, agentURL string, secure *tls.Config) *HTTPSink {
	return newSink(base, agentURL, &http.Transport{TLSClientConfig: secure, ForceAttemptHTTP2: true, IdleConnTimeout: lingering})
}

// NewDialSink makes a sink for a manager that dial connects to, TLS and all; base stands
// for it in requests. It speaks HTTP/2 where dial has agreed on that. See NewHTTPSink.
func NewDialSink(base, agentURL string, dial func(context.Context) (net.Conn, error)) *HTTPSink {
	return newSink(base, agentURL, &http.Transport{ForceAttemptHTTP2: true, IdleConnTimeout: lingering, DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dial(ctx)
	}})
}
