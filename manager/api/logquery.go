package api

import (
	"errors"
	"iter"
	"net/http"
	"time"

	"cassini/manager/logquery"
	"cassini/manager/store"
)

// Limits on questions about the log.
const logQueriesAtOnce = 2 // each may hold logquery.DefaultMemory

// logQueryRoutes ask the log as data.
func (s *server) logQueryRoutes(c common) []route {
	return []route{{method: "GET", path: "/api/v1/log", summary: "Documents of the log, or events, that match a CEL expression; grouped and worked out, or one by one", data: true,
		params: []param{
			{name: "of", enum: []string{"documents", "events"}, def: "documents", about: "what to ask"},
			{name: "where", about: "a CEL expression: which of them; variables of documents are package, host, key, time, received, log_key, progress, gone and body, of events id, kind, host, node, time and summary"},
			{name: "group_by", about: "expressions with commas between; what is no variable is a field of the body"},
			{name: "aggregate", about: "what to work out of each group: count, sum(x), avg(x), min(x), max(x), p50(x), p99.9(x), ..., with commas between"},
			{name: "weight", about: "expression by which each document counts in averages, such as its number of samples"},
			{name: "columns", about: "expressions to answer with where nothing is grouped"},
			{name: "sort", about: "titles of columns to sort groups by, - before those that descend; else by what they are grouped by"},
			{name: "from", kind: moment, about: "only what the manager received from then on"}, {name: "to", kind: moment, about: "only what it received until then"},
			c.limit(1000)},
		answer: logquery.Answer{}, statuses: []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, handle: s.getLog()}}
}

// getLog answers questions about the log, a few at a time.
func (s *server) getLog() func(http.ResponseWriter, *http.Request, params) {
	turns := make(chan struct{}, logQueriesAtOnce)
	return func(w http.ResponseWriter, r *http.Request, p params) {
		from, to := p.moments["from"], p.moments["to"]
		if !to.IsZero() && to.Before(from) {
			problem(w, r, http.StatusBadRequest, `parameter "to" is before "from"`)
			return
		}
		q, err := logquery.Compile(logquery.Question{
			Events: p.get("of") == "events", Where: p.get("where"), GroupBy: p.get("group_by"), Aggregate: p.get("aggregate"),
			Weight: p.get("weight"), Columns: p.get("columns"), Sort: p.get("sort"), Limit: p.numbers["limit"],
		})
		if err != nil {
			s.logFailed(w, r, err)
			return
		}
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-r.Context().Done():
			return
		}
		answer, err := q.Run(r.Context(), s.records(r, p, from, to), logquery.Limits{})
		if err != nil {
			s.logFailed(w, r, err)
			return
		}
		s.answer(w, r, answer)
	}
}

// records are the documents or events of a time. Until when is settled here: a log that
// grows faster than it is read would have no end.
func (s *server) records(r *http.Request, p params, from, to time.Time) logquery.Source {
	if to.IsZero() {
		to = s.Now()
	}
	if p.get("of") == "events" {
		return logquery.Source{Records: s.eventRecords(r, from, to)}
	}
	newest := p.get("group_by") == "" && p.get("aggregate") == ""
	return logquery.Source{Newest: newest, Records: func(yield func(*logquery.Record, error) bool) {
		for e, err := range s.Backend.Log(r.Context(), from, to, newest) {
			if err != nil {
				yield(nil, err)
				return
			}
			at, _ := store.Key(e.LogKey).Time() // of the log itself
			if !yield(logquery.OfDocument(e.LogKey, at, e.Document), nil) {
				return
			}
		}
	}}
}

// eventRecords are the events of a time, the oldest first. Identifiers of events begin
// with the time of receipt.
func (s *server) eventRecords(r *http.Request, from, to time.Time) iter.Seq2[*logquery.Record, error] {
	since, until := "0", string(store.Until(to)) // "" would be what is in memory
	if !from.IsZero() {
		since = string(store.Since(from))
	}
	return func(yield func(*logquery.Record, error) bool) {
		for e, err := range s.Backend.Events(r.Context(), since) {
			if err != nil {
				yield(nil, err)
				return
			}
			if e.ID > until || !yield(logquery.OfEvent(e), nil) {
				return
			}
		}
	}
}

// logFailed answers what is wrong with a question; limits are a matter of their own, for
// the question may be right.
func (s *server) logFailed(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*logquery.Error](err)
	if !ok {
		s.fail(w, r, err)
		return
	}
	status := http.StatusBadRequest
	if e.Field == logquery.Limit {
		status = http.StatusUnprocessableEntity
	}
	writeProblem(w, status, queryProblem{
		Problem: newProblem(r, status, e.Error()), Code: e.Field, Line: e.Line, Column: e.Column, Hint: e.Hint,
	})
}
