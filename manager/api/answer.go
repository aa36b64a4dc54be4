package api

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"cassini/model/delivery"
)

// Problem is an error as RFC 9457 has it.
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
}

func problem(w http.ResponseWriter, r *http.Request, status int, detail string) {
	writeProblem(w, status, newProblem(r, status, detail))
}

func newProblem(r *http.Request, status int, detail string) Problem {
	noted(r).why = detail
	return Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Instance: r.URL.Path}
}

// writeProblem writes a Problem, or one with more fields.
func writeProblem(w http.ResponseWriter, status int, p any) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p) // whoever asked has gone if this fails
}

// answer writes JSON. What cannot be encoded is a bug and answered as one.
func (s *server) answer(w http.ResponseWriter, r *http.Request, v any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		s.fail(w, r, err)
		return
	}
	s.write(w, mediaJSON, body.Bytes())
}

func (s *server) write(w http.ResponseWriter, media string, body []byte) {
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // whoever asked has gone if this fails
}

// answerSmall is answer, compressed where who asks takes that: for what may be large and is
// asked by agents. It says so in words, as no browser does: others get it as it is.
func (s *server) answerSmall(w http.ResponseWriter, r *http.Request, v any) {
	w.Header().Set("Vary", "Accept-Encoding")
	if r.Header.Get("Accept-Encoding") != delivery.Encoding {
		s.answer(w, r, v)
		return
	}
	raw, err := json.Marshal(v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if small, ok := s.codec.Compress(raw); ok {
		w.Header().Set("Content-Encoding", delivery.Encoding)
		raw = small
	}
	s.write(w, mediaJSON, raw)
}

// fail answers what is not the asker's fault.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is there to read it
	}
	s.Logger.Error("question could not be answered", "path", r.URL.Path, "error", err)
	problem(w, r, http.StatusInternalServerError, err.Error())
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	var methods []string
	for _, route := range s.routes {
		if route.path == r.URL.Path {
			methods = append(methods, route.method)
		}
	}
	if methods != nil {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		problem(w, r, http.StatusMethodNotAllowed, r.Method+" is not possible here, only "+strings.Join(methods, ", "))
		return
	}
	problem(w, r, http.StatusNotFound, "there is nothing at "+r.URL.Path+"; /api/v1/openapi.json describes what there is")
}

// accepts reports whether the request asks for a media type by name.
func accepts(r *http.Request, media string) bool {
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			if kind, params, err := mime.ParseMediaType(part); err == nil && kind == media && params["q"] != "0" {
				return true
			}
		}
	}
	return false
}

// refresh brings counters up to date, unless a past moment is asked for. When
// that fails the answer is what is known, and a header says so.
func (s *server) refresh(w http.ResponseWriter, r *http.Request, p params) {
	if !p.at().IsZero() {
		return
	}
	if err := s.Backend.Refresh(r.Context(), p.get("host")); err != nil {
		w.Header().Set("Cassini-Stale", headerText(err.Error()))
	}
}

// headerText makes one line of printable ASCII.
func headerText(s string) string {
	s = strings.ReplaceAll(s, "\n", "; ")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), 500)]
}
