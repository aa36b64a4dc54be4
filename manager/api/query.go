package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"cassini/manager/cypher"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/source"
	"cassini/manager/cypher/value"
)

// Limits on queries.
const (
	maxQueryBody  = 1 << 20
	queryTime     = 10 * time.Second
	queriesAtOnce = 4 // each may hold cypher.DefaultMemory
)

// queryBody is a question in openCypher.
type queryBody struct {
	Query  string         `json:"query"`
	Params map[string]any `json:"params,omitempty"`
	At     string         `json:"at,omitempty"` // RFC 3339
}

// queryAnswer is rows under named columns.
type queryAnswer struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	Notes   []string `json:"notes,omitempty"` // labels and types that the graph has none of
	TookMS  int64    `json:"took_ms"`
}

// queryProblem says beside the usual where in the query something is wrong.
type queryProblem struct {
	Problem
	Code   string `json:"code"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// postQuery answers questions in openCypher, a few at a time.
func (s *server) postQuery() func(http.ResponseWriter, *http.Request, params) {
	turns := make(chan struct{}, queriesAtOnce)
	known := &worlds{}
	return func(w http.ResponseWriter, r *http.Request, _ params) {
		body, at, status, err := s.readQuery(w, r)
		if err != nil {
			problem(w, r, status, err.Error())
			return
		}
		q, err := cypher.Compile(body.Query)
		if err != nil {
			s.queryFailed(w, r, err)
			return
		}
		s.refresh(w, r, params{moments: map[string]time.Time{"at": at}})
		g, err := s.Backend.Graph(r.Context(), at)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-r.Context().Done():
			return
		}
		answer, err := s.runQuery(r.Context(), q, known.get(g), body.Params)
		if err != nil {
			s.queryFailed(w, r, err)
			return
		}
		s.answer(w, r, answer)
	}
}

// readQuery reads and checks a body; the status is for the error.
func (s *server) readQuery(w http.ResponseWriter, r *http.Request) (body queryBody, at time.Time, status int, err error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != mediaJSON {
		return body, at, http.StatusUnsupportedMediaType, errors.New("send Content-Type: " + mediaJSON)
	}
	done := patience(w, r)
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQueryBody))
	decoder.UseNumber() // else large integers lose digits
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		return body, at, bodyStatus(err), fmt.Errorf("body is not the JSON that is wanted: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return body, at, http.StatusBadRequest, errors.New("there is something behind the JSON of the body")
	}
	done()
	if body.Query == "" {
		return body, at, http.StatusBadRequest, errors.New(`"query" is missing`)
	}
	if body.At == "" {
		return body, at, 0, nil
	}
	p := params{moments: map[string]time.Time{}}
	if err := (param{name: "at", kind: moment}).check(body.At, s.Now(), p); err != nil {
		return body, at, http.StatusBadRequest, err
	}
	return body, p.at(), 0, nil
}

func (s *server) runQuery(ctx context.Context, q *cypher.Query, g source.Graph, given map[string]any) (queryAnswer, error) {
	start := time.Now()
	result, err := q.Run(ctx, g, cypher.Options{
		Params: given, Now: s.Now(), Limits: cypher.Limits{Time: queryTime},
	})
	if err != nil {
		return queryAnswer{}, err
	}
	answer := queryAnswer{Columns: result.Columns, Rows: make([][]any, len(result.Rows)), Notes: result.Notes}
	for i, row := range result.Rows {
		answer.Rows[i] = make([]any, len(row))
		for j, v := range row {
			answer.Rows[i][j] = value.JSON(v)
		}
	}
	answer.TookMS = time.Since(start).Milliseconds()
	return answer, nil
}

// queryFailed answers what is wrong with a query; limits are a matter of their
// own, for the query may be right.
func (s *server) queryFailed(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*issue.Error](err)
	if !ok || e.Code == "Panic" {
		s.fail(w, r, err)
		return
	}
	status := http.StatusBadRequest
	if e.Kind == issue.Limit {
		status = http.StatusUnprocessableEntity
	}
	writeProblem(w, status, queryProblem{
		Problem: newProblem(r, status, e.Error()), Code: e.Code, Line: e.At.Line, Column: e.At.Column, Hint: e.Hint,
	})
}
