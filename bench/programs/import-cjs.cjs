require('antenna-sdk');
