package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

func events(w http.ResponseWriter, ids ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, id := range ids {
		fmt.Fprintf(w, ": beat\nid: %s\nevent: k\ndata: {\"id\":%q}\n\n", id, id)
	}
	w.(http.Flusher).Flush()
}

func TestFollowGoesOnWhereItWas(t *testing.T) {
	var resumed, warned, got []string
	c := serve(t, Config{Retry: time.Millisecond, Warn: func(s string) { warned = append(warned, s) }}, func(w http.ResponseWriter, r *http.Request) {
		resumed = append(resumed, r.Header.Get("Last-Event-ID"))
		switch len(resumed) {
		case 1:
			events(w, "a", "b")
		case 2:
			answer(w, "application/problem+json", 503, `{"detail":"starting"}`)
		case 3:
			events(w, "c")
			<-r.Context().Done()
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := c.Follow(ctx, Query{}, func(e model.Event) error {
		if got = append(got, e.ID); e.ID == "c" {
			cancel()
		}
		return nil
	})
	if err != nil || !slices.Equal(got, []string{"a", "b", "c"}) || !slices.Equal(resumed, []string{"", "b", "b"}) {
		t.Errorf("got %q, resumed from %q, %v", got, resumed, err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "connecting again") {
		t.Errorf("a lost stream is told once, got %q", warned)
	}
}

func TestFollowEnds(t *testing.T) {
	stop := errors.New("stop")
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		fn      func(model.Event) error
		want    string
	}{
		"first refused": {func(w http.ResponseWriter, _ *http.Request) {
			answer(w, "application/problem+json", 503, `{"detail":"starting"}`)
		}, nil, "starting"},
		"not a stream": {func(w http.ResponseWriter, _ *http.Request) { answer(w, "application/json", 200, `[]`) }, nil, `"application/json" instead of an event stream`},
		"bad event": {func(w http.ResponseWriter, _ *http.Request) {
			answer(w, "text/event-stream", 200, "id: 7\ndata: {\n\n")
		}, nil, "read event 7: unexpected end of JSON input"},
		"endless event": {func(w http.ResponseWriter, _ *http.Request) {
			answer(w, "text/event-stream", 200, "data: "+strings.Repeat("x", 2<<20))
		}, nil, "too long"},
		"consumer fails": {func(w http.ResponseWriter, _ *http.Request) { events(w, "a") }, func(model.Event) error { return stop }, "stop"},
		"refused later":  {refusedLater(), func(model.Event) error { return nil }, "unknown event"},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, Config{Retry: time.Millisecond}, tc.handler)
			if err := c.Follow(t.Context(), Query{}, tc.fn); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func refusedLater() http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			events(w, "a")
			return
		}
		answer(w, "application/problem+json", 400, `{"detail":"unknown event"}`)
	}
}

func TestStream(t *testing.T) {
	const text = "retry: 20\r\n: comment\r\n\r\nid: 1\r\ndata: a\r\ndata:b\r\n\r\nid\ndata\n\nevent: x\n\nid: 2\nretry: no\ndata: c\n\ndata: cut"
	s := newStream(strings.NewReader(text))
	var got []string
	var err error
	for m := (message{}); err == nil; {
		if m, err = s.next(); err == nil {
			got = append(got, fmt.Sprintf("%s=%q@%s", m.id, m.data, m.retry))
		}
	}
	want := []string{`1="a\nb"@20ms`, `=""@20ms`, `2="c"@20ms`}
	if !slices.Equal(got, want) || !errors.Is(err, io.EOF) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStreamIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"one line":   "data: " + strings.Repeat("x", 2<<20),
		"many lines": strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n", 2000),
	} {
		if _, err := newStream(strings.NewReader(text)).next(); !errors.Is(err, errMessageTooLong) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add("id: 1\ndata: a\n\n")
	f.Add("retry: 99999999999\n\ndata\n\n:\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := newStream(strings.NewReader(text))
		for range len(text) + 1 {
			m, err := s.next()
			if err != nil {
				return
			}
			if strings.ContainsAny(m.id, "\n\x00") || m.retry < 0 {
				t.Errorf("got id %q, retry %s", m.id, m.retry)
			}
		}
		t.Error("more messages than bytes")
	})
}
