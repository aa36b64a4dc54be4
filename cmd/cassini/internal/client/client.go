package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultURL is where a manager listens unless told otherwise.
const DefaultURL = "http://127.0.0.1:1984"

const (
	answerTimeout = 30 * time.Second // until the first byte of an answer
	maxProblem    = 64 << 10         // bytes read of an answer that is no success
)

// Config is what New needs besides the address.
type Config struct {
	UserAgent string
	// Warn hears, in one line, of answers that may be old and of lost
	// connections. Nil ignores them.
	Warn func(string)
	// Retry is the first wait before Follow connects again; it doubles up to
	// maxRetry. 0 means one second.
	Retry time.Duration
	// Token is sent with every question; only over https.
	Token string
	// TLS is how an https address is verified; nil: by the authorities of this machine.
	TLS *tls.Config
}

// Client asks one manager. It is safe for concurrent use.
type Client struct {
	base *url.URL
	http *http.Client
	cfg  Config
}

// New makes a client of the API at a URL. "http://" may be left out.
func New(address string, cfg Config) (*Client, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("not a URL: %q", address)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("not a URL of the form http://HOST:PORT: %q", address)
	}
	if cfg.Warn == nil {
		cfg.Warn = func(string) {}
	}
	cfg.Retry = cmp.Or(cfg.Retry, time.Second)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerTimeout
	c := &Client{base: base, http: &http.Client{Transport: transport}, cfg: cfg}
	if base.Scheme == "https" {
		transport.TLSClientConfig = cfg.TLS
		c.http.Transport = bearer{transport, cfg.Token}
		// A manager does not move; a token is for it alone.
		c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c, nil
}

// bearer sends a token with every request.
type bearer struct {
	*http.Transport
	token string
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.Transport.RoundTrip(r)
}

// Patient is the client for what takes long before its answer begins: it waits for as long as
// the context lets it. It has connections of its own.
func (c *Client) Patient() *Client {
	with, hasty := *c, *c.http
	with.http = &hasty
	switch t := hasty.Transport.(type) {
	case bearer:
		t.Transport = t.Clone()
		t.ResponseHeaderTimeout = 0
		hasty.Transport = t
	case *http.Transport:
		t = t.Clone()
		t.ResponseHeaderTimeout = 0
		hasty.Transport = t
	}
	return &with
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// open sends a GET and returns the answer if it is a success. The caller closes
// its body.
func (c *Client) open(ctx context.Context, path string, query Query, header http.Header) (*http.Response, error) {
	return c.send(ctx, http.MethodGet, path, query, header, nil)
}

// post sends a body of a media type and returns the answer, which should be JSON, if it
// is a success. The caller closes its body.
func (c *Client) post(ctx context.Context, path string, query Query, media string, body []byte) (*http.Response, error) {
	return c.send(ctx, http.MethodPost, path, query, http.Header{"Accept": {"application/json"}, "Content-Type": {media}}, bytes.NewReader(body))
}

func (c *Client) send(ctx context.Context, method, path string, query Query, header http.Header, body io.Reader) (*http.Response, error) {
	target := c.base.JoinPath("api/v1", path)
	target.RawQuery = url.Values(query).Encode()
	req, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	req.Header = header
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &UnreachableError{URL: c.base.Redacted(), Err: err}
	}
	if resp.StatusCode == http.StatusOK {
		c.warnStale(resp)
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, c.problem(resp)
}

func (c *Client) warnStale(resp *http.Response) {
	if why := resp.Header.Get("Cassini-Stale"); why != "" {
		c.cfg.Warn("counters may be old: " + why)
	}
}

// problem turns an answer that is no success into an error.
func (c *Client) problem(resp *http.Response) error {
	p := &Problem{Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode)}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/problem+json" {
		if c.base.Scheme == "http" && resp.StatusCode == http.StatusBadRequest {
			return fmt.Errorf("%s answered %s: it may want https; see --api/CASSINI_API and --token-file/CASSINI_TOKEN_FILE", c.base.Redacted(), resp.Status)
		}
		return fmt.Errorf("%s answered %s, which is not Cassini's way; does --api/CASSINI_API point at a Cassini manager?", c.base.Redacted(), resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxProblem)).Decode(p); err != nil {
		return fmt.Errorf("read the answer %s: %w", resp.Status, err)
	}
	return p
}

// get asks for JSON and decodes it.
func get[T any](ctx context.Context, c *Client, path string, query Query) (answer T, err error) {
	resp, err := c.open(ctx, path, query, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/json" {
		return answer, fmt.Errorf("%s answered %q instead of JSON; does --api/CASSINI_API point at a Cassini manager?", c.base.Redacted(), kind)
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return answer, fmt.Errorf("read the answer about %s: %w", path, errors.Join(err, ctx.Err()))
	}
	return answer, nil
}

// Tell posts JSON to a path below /api/v1 and decodes the answer.
func (c *Client) Tell(ctx context.Context, path string, body, answer any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode what is told about %s: %w", path, err)
	}
	resp, err := c.post(ctx, path, nil, "application/json", raw)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("read the answer about %s: %w", path, errors.Join(err, ctx.Err()))
	}
	return nil
}

// Get asks a question: GET /api/v1/PATH.
func Get[T any](ctx context.Context, c *Client, path string, q Query) (T, error) {
	return get[T](ctx, c, path, q)
}

// List asks a question whose answer is a list: GET /api/v1/PATH.
func List[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	return get[[]T](ctx, c, path, Query{})
}
