package api

import (
	"errors"
	"net/http"
	"time"

	"cassini/manager/enroll"
)

// rotateBody begins a rotation of the authority, or replaces it at once.
type rotateBody struct {
	OverlapSeconds int64 `json:"overlap_seconds,omitempty"` // 0: the life of agents' certificates
	Now            bool  `json:"now,omitempty"`             // the key was stolen: nothing that it signed counts any more
}

// retireBody ends a rotation.
type retireBody struct {
	Force bool `json:"force,omitempty"` // also if hosts do not know the next authority yet
}

// rotated is the authority then.
type rotated struct {
	enroll.View
	// JoinAnew is how many hosts have to, since the authority was replaced at once.
	JoinAnew int `json:"join_anew,omitempty"`
}

// authorityRoutes are by whom agents are known.
func (s *server) authorityRoutes() []route {
	refusals := []int{http.StatusBadRequest, 401, 403, 409, 413, 415}
	return []route{
		{method: "GET", path: "/api/v1/authority", summary: "Authorities whose certificates of agents count, and how far a rotation is", answer: enroll.View{}, statuses: []int{401, 403, 409}, handle: s.getAuthority},
		{method: "POST", path: "/api/v1/authority/rotate", summary: "Take another key of the authority into use: the old one counts for an overlap, or no more at once", body: rotateBody{}, answer: rotated{}, statuses: refusals, handle: s.postAuthority},
		{method: "POST", path: "/api/v1/authority/retire", summary: "End a rotation before its time: the old authority counts no more", body: retireBody{}, answer: rotated{}, statuses: refusals, handle: s.postRetire},
	}
}

func (s *server) getAuthority(w http.ResponseWriter, r *http.Request, _ params) {
	if s.enrolls(w, r) {
		s.answer(w, r, s.Enroll.View(s.Now()))
	}
}

func (s *server) postAuthority(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := enrollBody[rotateBody](s, w, r)
	if !ok {
		return
	}
	var hosts int
	var err error
	if body.Now {
		noted(r).detail = "replaced at once"
		hosts, err = s.Enroll.Replace(s.Now())
	} else {
		overlap := time.Duration(min(max(body.OverlapSeconds, -1), int64(time.Duration(1<<62)/time.Second))) * time.Second
		err = s.Enroll.Rotate(overlap, s.Now())
	}
	s.authority(w, r, hosts, err)
}

func (s *server) postRetire(w http.ResponseWriter, r *http.Request, _ params) {
	if body, ok := enrollBody[retireBody](s, w, r); ok {
		s.authority(w, r, 0, s.Enroll.Retire(body.Force, s.Now()))
	}
}

// authority answers with the authority as it is then, or says why not.
func (s *server) authority(w http.ResponseWriter, r *http.Request, hosts int, err error) {
	if errors.Is(err, enroll.ErrInvalid) {
		problem(w, r, http.StatusConflict, err.Error())
		return
	}
	v := s.Enroll.View(s.Now())
	if len(v.Authorities) > 0 && err == nil {
		noted(r).target = v.Authorities[len(v.Authorities)-1].Hash
	}
	s.enrolled(w, r, rotated{v, hosts}, err)
}
