package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"cassini/manager/store"
)

// debugRoute is what people look at who look for a fault of Cassini's own. It is not
// described: it is Go's, not ours.
func debugRoute() route { return route{method: "GET", path: "/debug/", endless: true} }

// served tells of an answer.
func (s *server) served(r route, took time.Duration) {
	if s.Served != nil && !r.endless && !strings.Contains(strings.Join(r.media, " "), mediaEvents) {
		s.Served(r.method+" "+r.path, took)
	}
}

// postReload reads the configuration again.
func (s *server) postReload(w http.ResponseWriter, r *http.Request, _ params) {
	if s.Reload == nil {
		problem(w, r, http.StatusNotFound, "this process has no configuration to read again")
		return
	}
	done, err := s.Reload()
	noted(r).detail = strings.Join(done.Applied, ", ")
	if err != nil {
		problem(w, r, http.StatusUnprocessableEntity, "the configuration before stays: "+err.Error())
		return
	}
	s.answer(w, r, done)
}

// backupPause is how long who takes a backup may take no byte of it: until then the log
// keeps what it was read as.
const backupPause = time.Minute

// getBackup streams a backup. One that fails on the way is cut off, so that nobody takes it
// for whole.
func (s *server) getBackup(w http.ResponseWriter, r *http.Request, _ params) {
	w.Header().Set("Content-Type", mediaGzip)
	w.Header().Set("Content-Disposition", `attachment; filename="cassini-backup-`+s.Now().UTC().Format("20060102T150405Z")+`.tar.gz"`)
	out := newPatient(w, backupPause)
	if err := s.Backend.Backup(r.Context(), out); err != nil {
		s.Logger.Error("a backup failed", "reader", r.RemoteAddr, "error", err)
		if !out.begun {
			w.Header().Del("Content-Disposition")
			problem(w, r, http.StatusInternalServerError, err.Error())
			return
		}
		panic(http.ErrAbortHandler)
	}
}

func (s *server) postCompact(w http.ResponseWriter, r *http.Request, _ params) {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // not possible in tests without a server
	c, err := s.Backend.Compact(r.Context())
	_ = control.SetWriteDeadline(time.Now().Add(answerTimeout))
	switch {
	case errors.Is(err, store.ErrFull):
		problem(w, r, http.StatusInsufficientStorage, err.Error())
	case errors.Is(err, ErrBusy):
		problem(w, r, http.StatusConflict, err.Error())
	case err != nil:
		s.fail(w, r, err)
	default:
		noted(r).detail = fmt.Sprintf("from %d to %d bytes", c.Before, c.After)
		s.answer(w, r, c)
	}
}
