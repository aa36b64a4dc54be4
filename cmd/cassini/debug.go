package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/pprof"
	"path/filepath"
	"time"

	"cassini/cmd/cassini/internal/config"
	"cassini/cmd/cassini/internal/flight"
)

// flightDir is where the flight recorder writes, in the data directory.
const flightDir = "flight"

// addFlight adds the settings of the flight recorder.
func (s *server) addFlight() {
	flags := s.cmd.Flags()
	flags.BoolVar(&s.flight, "flight-recorder", s.cmd.Name() == "manager", "keep what the Go runtime did in the last seconds, and write it to the data directory when something is odd")
	flags.DurationVar(&s.slow, "slow-request", 10*time.Second, "a request that takes longer is odd")
	config.Mark(flags, "flight-recorder", "slow-request")
}

// newRecorder makes the flight recorder, or nil where there is to be none.
func (s *server) newRecorder(cfg serveConfig) *flight.Recorder {
	if !s.flight {
		return nil
	}
	return flight.New(flight.Config{Dir: filepath.Join(cfg.DataDir, flightDir), Logger: cfg.Logger, Now: s.sys.now})
}

// debugging serves what is below /debug/: Go's profiles, and the flight recorder's files.
func debugging(r *flight.Recorder) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // also the profiles by their names
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/flight", func(w http.ResponseWriter, req *http.Request) {
		path, err := r.Write(req.Context(), "asked for")
		switch {
		case errors.Is(err, flight.ErrOff):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]string{"file": path}) // who asked may have gone
		}
	})
	return mux
}
