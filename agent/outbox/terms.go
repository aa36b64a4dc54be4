package outbox

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"cassini/model/delivery"
)

// settle finds out what the manager speaks, where that is not known: by an answer that it
// gives to everybody. The error says what to upgrade where nothing is common.
func (s *HTTPSink) settle(ctx context.Context) (terms, error) {
	s.mu.Lock()
	t := s.terms
	s.mu.Unlock()
	if t.version != 0 {
		return t, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/-/healthy", nil)
	if err != nil {
		return t, fmt.Errorf("ask what the manager speaks: %w", err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return t, fmt.Errorf("reach the manager: %w", err)
	}
	defer resp.Body.Close()
	raw, err := s.read(resp)
	if err == nil {
		err = refusal(resp, raw)
	}
	if err != nil {
		return t, fmt.Errorf("ask what the manager speaks: %w", err)
	}
	if t, err = s.offered(resp); err != nil {
		return t, err
	}
	s.mu.Lock()
	s.terms = t
	s.mu.Unlock()
	return t, nil
}

// offered are the terms of an answer.
func (s *HTTPSink) offered(resp *http.Response) (terms, error) {
	theirs, err := delivery.ParseRange(resp.Header.Get(delivery.Header))
	if err != nil {
		return terms{}, fmt.Errorf("read what the manager speaks: %w", err)
	}
	version, ok := s.ours.Common(theirs)
	if !ok {
		return terms{}, delivery.Mismatch(s.ours, theirs)
	}
	return terms{version: version, zstd: strings.Contains(resp.Header.Get("Accept-Encoding"), delivery.Encoding)}, nil
}

// heard compares an answer with the terms of its question. Where they are not those any
// more, it is of another manager, which may have taken the question for something else:
// it counts for nothing, and the terms are found anew. An error of whatever stands between
// says nothing of the manager.
func (s *HTTPSink) heard(resp *http.Response, asked terms) error {
	if resp.Header.Get(delivery.Header) == "" && resp.StatusCode >= http.StatusInternalServerError {
		return nil
	}
	now, err := s.offered(resp)
	if err == nil && now.version != asked.version {
		now, err = terms{}, errChanged
	}
	s.mu.Lock()
	s.terms = now
	s.mu.Unlock()
	return err
}
