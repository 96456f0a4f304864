//! (placeholder while the seam is being laid)
