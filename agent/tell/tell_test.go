package tell

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

func TestDocument(t *testing.T) {
	var docs []model.Document
	var log bytes.Buffer
	name, now := model.Name{Host: "web-17", Package: model.PackageNames, Key: "192.0.2.1"}, time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, body := range []any{map[string]int{"n": 1}, nil, func() {}} {
		Document(func(list ...model.Document) { docs = append(docs, list...) }, slog.New(slog.NewTextHandler(&log, nil)), name, now, body)
	}
	if len(docs) != 2 || docs[0].Name != name || string(docs[0].Body) != `{"n":1}` || !docs[1].Gone() {
		t.Errorf("emitted %+v", docs)
	}
	if !strings.Contains(log.String(), name.Key) || strings.Count(log.String(), "\n") != 1 {
		t.Errorf("logged %q", log.String())
	}
}
