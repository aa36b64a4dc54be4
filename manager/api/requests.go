package api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"cassini/model"
)

// Requests counts what was asked and how it was answered, by route and status. It is
// safe for concurrent use; the zero value is ready.
type Requests struct {
	mu     sync.Mutex
	all    map[request]model.RequestStat
	border uint64
}

// request is a kind of request: routes and statuses are few, whatever is asked.
type request struct {
	route  string
	status int
}

func (q *Requests) count(route string, status int, took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all == nil {
		q.all = make(map[request]model.RequestStat)
	}
	at := request{route, status}
	stat := q.all[at]
	stat.Route, stat.Status = route, status
	stat.Count++
	stat.Seconds += took.Seconds()
	q.all[at] = stat
}

func (q *Requests) refuseBorder() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.border++
}

// Border is how often somebody of a tenant asked about a host that is not the tenant's.
func (q *Requests) Border() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.border
}

// Stats are the counts since the start, sorted by route and status.
func (q *Requests) Stats() []model.RequestStat {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]model.RequestStat, 0, len(q.all))
	for _, stat := range q.all {
		list = append(list, stat)
	}
	slices.SortFunc(list, func(a, b model.RequestStat) int {
		return cmp.Or(strings.Compare(a.Route, b.Route), cmp.Compare(a.Status, b.Status))
	})
	return list
}

// watched is an answer whose status is remembered.
type watched struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status.
func (w *watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write is 200 where nothing else was said.
func (w *watched) Write(b []byte) (int, error) {
	w.status = cmp.Or(w.status, http.StatusOK)
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// counted counts the requests of a route.
func (s *server) counted(r route, next http.Handler) http.Handler {
	if s.Requests == nil {
		return next
	}
	name := r.method + " " + r.path
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		begin := s.Now()
		out := &watched{ResponseWriter: w}
		defer func() {
			took := s.Now().Sub(begin)
			s.Requests.count(name, cmp.Or(out.status, http.StatusOK), took)
			s.served(r, took)
		}()
		next.ServeHTTP(out, req)
	})
}
