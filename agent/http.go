package agent

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"cassini/model"
)

// status is the answer of GET /api/v1/status: the part of the manager's that an
// agent alone can give.
type status struct {
	Version string              `json:"version"`
	Start   time.Time           `json:"start"`
	Host    string              `json:"host"`
	Capture *model.CaptureStats `json:"capture"`
	Outbox  *model.OutboxStats  `json:"outbox"`
	Network *model.NetworkStats `json:"network"`
}

// Handler serves what an agent that runs alone tells: its metrics, health and
// status, and POST /api/v1/refresh, by which the manager asks for fresh counters.
func (a *Agent) Handler(metrics http.Handler, start time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if err := a.CheckReady(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("POST /api/v1/refresh", func(w http.ResponseWriter, r *http.Request) {
		if err := a.Refresh(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /api/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := status{a.cfg.Version, start, a.cfg.Host, a.CaptureStats(), a.OutboxStats(), a.NetworkStats()}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			a.cfg.Logger.Debug("answer status", "error", err)
		}
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

// CheckReady says why the agent is not ready, or nil.
func (a *Agent) CheckReady() error {
	select {
	case <-a.ready:
		return nil
	default:
		return errors.New("the agent has not yet found what existed before it started")
	}
}
