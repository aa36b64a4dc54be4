package main

import (
	"encoding/json"
	"net/http"
)

// operated adds to what an agent that runs alone serves what a manager's API has for
// operators. Its port is on loopback: who reaches it may ask.
func operated(next http.Handler, cfg serveConfig) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.Handle("/debug/", debugging(cfg.Live.flight))
	mux.HandleFunc("POST /-/reload", func(w http.ResponseWriter, _ *http.Request) {
		done, err := cfg.Live.Reload()
		if err != nil {
			http.Error(w, "the configuration before stays: "+err.Error(), http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(done); err != nil {
			cfg.Logger.Debug("answer a reload", "error", err)
		}
	})
	return http.NewCrossOriginProtection().Handler(mux)
}
