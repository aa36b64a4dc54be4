package api

import (
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTwoLengths sends a request whose body ends elsewhere by its length than by its chunks: what follows
// is no request, for a proxy may take it for part of the body.
func TestTwoLengths(t *testing.T) {
	h := newGuarded(t).h
	ts := httptest.NewServer(h)
	defer ts.Close()
	for _, tc := range []struct {
		headers string
		answers int
	}{
		{"Content-Length: 5", 2},
		{"Transfer-Encoding: chunked", 1},
		{"Content-Length: 40\r\nTransfer-Encoding: chunked", 1},
	} {
		c, err := net.Dial("tcp", strings.TrimPrefix(ts.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(c, "POST /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n\r\n0\r\n\r\nGET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", tc.headers)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if n := strings.Count(string(answer), "HTTP/1.1 "); err != nil || n != tc.answers {
			t.Errorf("%q: %d answers, want %d, %v", tc.headers, n, tc.answers, err)
		}
		_ = c.Close()
	}
}
