package exporter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// storeCollector shows the manager's document log.
type storeCollector struct {
	source                     func() model.StoreStats
	documents, names           metric
	fileBytes, freeBytes       metric
	appended, thinned, expired metric
	oldest, newest, clockHeld  metric
	reread                     metric
	compacted, reclaimed       metric
}

func newStoreCollector(source func() model.StoreStats) *storeCollector {
	return &storeCollector{
		source:    source,
		documents: gauge("store_documents", "Entries in the document log."),
		names:     gauge("store_names", "Distinct document names in the log."),
		fileBytes: gauge("store_file_bytes", "Size of the store on disk."),
		freeBytes: gauge("store_free_bytes", "Part of cassini_store_file_bytes that new entries will reuse."),
		appended:  counter("store_appended_total", "Entries written to the log."),
		thinned:   counter("store_thinned_total", "Progress entries that replaced the one before them instead of following it."),
		expired:   counter("store_expired_total", "Entries that retention removed."),
		clockHeld: counter("store_clock_held_total", "Batches whose keys run ahead of the manager's clock because it stood still or went back."),
		reread:    counter("store_reread_total", "Entries that the graph had to read back from the log since too many waited for it in memory."),
		compacted: counter("store_compactions_total", "Compactions of the log while it was in use, by outcome.", "outcome"),
		reclaimed: counter("store_reclaimed_bytes_total", "What compactions gave back to the file system."),
		oldest:    gauge("store_oldest_timestamp_seconds", "Time of the oldest entry. Absent while the log is empty."),
		newest:    gauge("store_newest_timestamp_seconds", "Time of the newest entry. Absent while the log is empty."),
	}
}

func (c *storeCollector) name() string { return "store" }

func (c *storeCollector) metrics() []metric {
	return []metric{c.documents, c.names, c.fileBytes, c.freeBytes, c.appended, c.thinned, c.expired, c.clockHeld, c.reread, c.compacted, c.reclaimed, c.oldest, c.newest}
}

func (c *storeCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	c.documents.send(ch, float64(stats.Documents))
	c.names.send(ch, float64(stats.Names))
	c.fileBytes.send(ch, float64(stats.FileBytes))
	c.freeBytes.send(ch, float64(stats.FreeBytes))
	c.appended.send(ch, float64(stats.Appended))
	c.thinned.send(ch, float64(stats.Thinned))
	c.expired.send(ch, float64(stats.Expired))
	c.clockHeld.send(ch, float64(stats.ClockHeld))
	c.reread.send(ch, float64(stats.Reread))
	c.compacted.send(ch, float64(stats.Compacted), "done")
	c.compacted.send(ch, float64(stats.CompactFailed), "failed")
	c.reclaimed.send(ch, float64(stats.Reclaimed))
	c.oldest.sendTime(ch, stats.Oldest)
	c.newest.sendTime(ch, stats.Newest)
	return true
}

// sendTime passes on a time in seconds since 1970, and nothing for the zero time.
func (m metric) sendTime(ch chan<- prometheus.Metric, t time.Time, labels ...string) {
	if !t.IsZero() {
		m.send(ch, float64(t.UnixNano())/1e9, labels...)
	}
}
