package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"
)

// bodyTimeout is how long a body may take to come.
const bodyTimeout = 30 * time.Second

// patience ends a request whose body does not come in time; done is called once it has come,
// else it would end the request later.
func patience(w http.ResponseWriter) (done func()) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // not possible in tests without a server
	return func() { _ = control.SetReadDeadline(time.Time{}) }
}

// readBody reads a body of so many bytes at most, or answers why it cannot.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) (raw []byte, ok bool) {
	done := patience(w)
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		problem(w, r, bodyStatus(err), "read the body: "+err.Error())
		return nil, false
	}
	done()
	return raw, true
}

// bodyStatus is the status for a body that could not be read.
func bodyStatus(err error) int {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return http.StatusRequestEntityTooLarge
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
