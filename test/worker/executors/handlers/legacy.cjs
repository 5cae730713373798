module.exports.process = async (image) => ({ detections: [], id: image.id });
