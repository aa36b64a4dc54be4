package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"os"
	"time"
)

// bodyTimeout is how long a body may take to come, unless the configuration says otherwise.
const bodyTimeout = 30 * time.Second

// patienceKey is where the context of a request has how long its body may take.
type patienceKey struct{}

// patience ends a request whose body does not come in time; done is called once it has come,
// else it would end the request later.
func patience(w http.ResponseWriter, r *http.Request) (done func()) {
	limit, ok := r.Context().Value(patienceKey{}).(time.Duration)
	if !ok {
		limit = bodyTimeout
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(limit)) // not possible in tests without a server
	return func() { _ = control.SetReadDeadline(time.Time{}) }
}

// readBody reads a body of so many bytes at most, or answers why it cannot.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) (raw []byte, ok bool) {
	raw, err := bodyOf(w, r, limit)
	if err != nil {
		problem(w, r, bodyStatus(err), err.Error())
	}
	return raw, err == nil
}

// bodyOf is readBody without an answer; see bodyStatus for its errors.
func bodyOf(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	done := patience(w, r)
	var raw bytes.Buffer
	raw.Grow(bytes.MinRead + int(max(0, min(r.ContentLength, limit, roomAtFirst))))
	if _, err := raw.ReadFrom(http.MaxBytesReader(w, r.Body, limit)); err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	done()
	return raw.Bytes(), nil
}

// roomAtFirst is how many bytes a body gets before any have come, at most: what it says of
// its length may not be true.
const roomAtFirst = 64 << 10

// bodyStatus is the status for a body that could not be read.
func bodyStatus(err error) int {
	_, large := errors.AsType[*http.MaxBytesError](err)
	switch {
	case large:
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

// isJSON says whether a body says that it is JSON, or answers that it has to.
func isJSON(w http.ResponseWriter, r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaJSON {
		problem(w, r, http.StatusUnsupportedMediaType, "send Content-Type: "+mediaJSON)
		return false
	}
	return true
}

// jsonBody decodes a body of so many bytes at most, or answers what is wrong with it.
func jsonBody[T any](w http.ResponseWriter, r *http.Request, limit int64) (body T, ok bool) {
	if !isJSON(w, r) {
		return body, false
	}
	raw, ok := readBody(w, r, limit)
	if !ok {
		return body, false
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		problem(w, r, http.StatusBadRequest, "body is not the JSON that is wanted: "+err.Error())
		return body, false
	}
	return body, true
}
