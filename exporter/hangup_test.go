package exporter

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"cassini/model"
)

// TestScraperHangsUp: a scraper that does not wait for the answer is no error of ours, and
// least of all one of each family.
func TestScraperHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, hangUp := context.WithCancel(t.Context())
		over := make(chan struct{})
		src := Sources{Capture: func() *model.CaptureStats {
			hangUp()
			<-over
			return &model.CaptureStats{}
		}}
		var log bytes.Buffer
		h := New(src, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}).Handler()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/metrics", nil))
		close(over)
		synctest.Wait() // the scrape goes on until it has nothing more to say
		if n := strings.Count(log.String(), "\n"); n > 0 {
			t.Errorf("%d lines are logged, the first %.200s", n, log.String())
		}
	})
}
